"""iqm-spec: experiments on IQM quantum computers, declared in a file."""

__version__ = "0.1.0"
