"""What is told of requests: metrics, traces, audit rows."""
