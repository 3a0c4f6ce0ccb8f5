/** The face of the audits: devices' work looked at by others. */
export { type Audits, createAudits } from './audits.ts';
