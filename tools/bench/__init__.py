"""Speed and size beside what users do without this tool: `python -m tools.bench`."""
