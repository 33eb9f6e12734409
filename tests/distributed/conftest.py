"""Scripts that run on ranks are no tests."""

collect_ignore_glob = ["ranks_*.py"]
