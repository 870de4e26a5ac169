"""HTML and SVG as values, for every page that Hexad writes."""
