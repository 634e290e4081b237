"""Memory and content: nothing leaks, nothing is mixed up, whatever happens and in whatever order."""
