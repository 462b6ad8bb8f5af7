"""asv's results of chosen commits, kept beside the code, and the page that shows them."""
