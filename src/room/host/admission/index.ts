/** The face of admission: who comes in, and whose links are made and measured. */
export { type AdmissionOptions, admitDevices } from './admission.ts';
export { createDoor, type Door, type DoorRecord, removedSentence, turnAway } from './door.ts';
