/** The face of a device's part in a room. */
export { type Inbox, openInbox } from './inbox.ts';
export { createLayerSources, type LayerSources } from './layer-sources.ts';
export { createStatusReporter, type StatusReporter } from './status-reporter.ts';
export { type DevicePart, takePart } from './take-part.ts';
