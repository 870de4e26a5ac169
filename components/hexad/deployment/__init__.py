"""A bundle and what runs it on one machine: shared by the boxes that serve it and that evaluate it."""
