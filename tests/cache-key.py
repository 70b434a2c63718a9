"""Prints a short key of standard input and of this interpreter's version: equal keys can share a virtual environment."""
import hashlib
import sys

print(hashlib.sha256(sys.version.encode() + sys.stdin.buffer.read()).hexdigest()[:12])
