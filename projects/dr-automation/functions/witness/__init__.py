"""The witness: from a third region it says whether each site's database lives, or its region is dark."""
