"""Random arguments for every public function: most of them valid, the others hostile."""
