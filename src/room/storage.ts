/** What this device keeps of models between visits, as the face shows it. */
export {
  clearStorage,
  setStorageLimit,
  storageUsage,
  type StorageUsage,
} from '../store/cache-usage.ts';
export type { KeptModel } from '../store/kept-models.ts';
