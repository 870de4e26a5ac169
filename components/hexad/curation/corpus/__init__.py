"""The rows of real data, from files to tokens: in parts, by any number of processes, with the same result."""
