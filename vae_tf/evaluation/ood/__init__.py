"""Out-of-distribution scores, and how well they separate two sets."""
