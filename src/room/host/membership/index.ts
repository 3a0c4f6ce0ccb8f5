/** The face of membership: who is in the room, the host among them, and who is still there. */
export { blockMsAt, type DeviceProfile, hasRoomForLayer } from './device-profile.ts';
export { createHostDevice, type HostDevice } from './host-device.ts';
export { followLink } from './link-health.ts';
export { createLiveness, type Liveness } from './liveness.ts';
export {
  deviceName,
  layersHeld,
  linkBetween,
  type MeasuredMember,
  measuredMembers,
  type Member,
  nameOf,
  newMember,
  pairOf,
} from './members.ts';
export { createRoster, type Roster } from './roster.ts';
