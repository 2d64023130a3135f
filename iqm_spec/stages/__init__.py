"""Stages: what carries out a plan's jobs, each in a room of its own."""
