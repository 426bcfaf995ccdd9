"""What all pages share: health and errors, middleware, the admin's frame and theme."""
