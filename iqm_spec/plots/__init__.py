"""Pictures of data with matplotlib: functions take numbers and names and return a `Figure`.

Nothing here knows of runs, folders or HTML pages. `svg.picture_of` turns a figure into SVG for a
page; `Figure.savefig` writes what matplotlib writes.

Imports: diagnostics, model, targets.
"""
