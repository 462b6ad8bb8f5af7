"""What people read: tables of configurations, and progress."""
