"""The node: an agent that runs pods as local processes, as a kubelet runs them as containers."""
