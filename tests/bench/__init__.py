"""The benchmarks of the project; see __main__.py."""
