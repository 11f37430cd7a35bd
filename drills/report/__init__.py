"""The report of a drill: as a page with a picture, as JSON, and the index of several drills."""
