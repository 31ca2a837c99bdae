"""From the command line to checked options, model folders and sockets."""
