"""Model management: versions on disk, their life cycle, and handles to loaded servables."""
