"""The parts of a report, each from a run to a section."""
