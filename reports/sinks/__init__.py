"""Where results go besides the pages: metrics, ping, GitHub."""
