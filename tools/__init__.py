"""Scripts for developers: measurements, generated pages and data."""
