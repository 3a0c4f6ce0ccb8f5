/** The face of membership: who is in the room, what is known of each of them, and who is still there. */
export { blockMsAt, type DeviceProfile, hasRoomForLayer } from './device-profile.ts';
export { followLink } from './link-health.ts';
export { devicesView } from './devices-view.ts';
export { createLiveness, type Liveness, type LivenessWatch } from './liveness.ts';
export {
  type DeviceHandlers,
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
export { createRoomEvents, type RoomEmitter } from './room-events.ts';
export { createRoster, type Roster } from './roster.ts';
