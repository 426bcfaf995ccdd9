"use strict";

// The style that htmx would write into each page is in admin.css: the policy forbids inline ones.
htmx.config.includeIndicatorStyles = false;
