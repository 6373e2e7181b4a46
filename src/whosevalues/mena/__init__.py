"""MENAValues (arXiv 2510.13154): survey values of sixteen countries, held against language models."""
