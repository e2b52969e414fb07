"""What we are measured against: code that a good engineer would write by hand for the sample application alone."""
