"""What a cluster needs around the runs of a pipeline: accounts and rights, limits, policies, runtimes, alerts."""
