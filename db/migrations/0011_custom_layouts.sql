-- What custom layouts of the CAD add to dispatch calls, as JSON objects of texts.
ALTER TABLE dispatch_calls ADD COLUMN layout_template TEXT NOT NULL DEFAULT '{}';
ALTER TABLE dispatch_calls ADD COLUMN layout_values TEXT NOT NULL DEFAULT '{}';
ALTER TABLE dispatch_calls ADD COLUMN status_id TEXT NOT NULL DEFAULT '';
