"""How fast fastgrok trains networks of any shape."""
