"""One script per client, run as a module with the Python of that client's environment."""
