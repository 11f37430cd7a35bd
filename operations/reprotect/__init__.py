"""``nox -s reprotect``: make a standby for the present writer, and give the other site's controller authority."""
