"""Drawings as SVG: small, in CSS colours that follow light and dark, with words for those who
cannot see them."""
