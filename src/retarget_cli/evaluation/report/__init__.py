"""Reports: JSON, CSV, Markdown and one self-contained HTML page, of one run or of several side by side."""
