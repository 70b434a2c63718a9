"""Stand-in for ssjdispatcher: the same configuration, messages, Jobs, crashes and HTTP API."""
