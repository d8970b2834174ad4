"""The report: what the results say, as one page, figures and tables."""
