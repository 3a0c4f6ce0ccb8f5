/** The face of admission: who comes in, who is put out, and whose links are made and measured. */
export { type AdmissionOptions, admitDevices, type MemberMessage } from './admission.ts';
export { createDoor, type Door, type DoorRecord } from './door.ts';
export { createLinkIntroductions, type LinkIntroductions } from './link-introductions.ts';
export { createRemoval, type Removal } from './removal.ts';
