"use strict";

// The style that htmx would write into each page is in admin.css: the policy forbids inline ones.
htmx.config.includeIndicatorStyles = false;
// Pages that were left are asked for anew: kept, they would lie readable in the browser, with styles that it refuses.
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;
