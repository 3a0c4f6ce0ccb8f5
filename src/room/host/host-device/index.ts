/** The face of the host's own device: the host computes like any other device of its room. */
export { createHostDevice, type HostDevice, type HostStages } from './host-device.ts';
