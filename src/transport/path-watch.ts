/** By which way a connection's packets go: straight to the other device, or by way of a TURN server. */

interface PathStats {
  type: string;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  candidateType?: string;
}

/** Calls back with what is so now, and at every change until the signal aborts. */
export function watchPath(
  connection: RTCPeerConnection,
  onPath: (isRelayed: boolean) => void,
  signal: AbortSignal,
): void {
  const look = (): void => {
    const told = (relayed: boolean | null): void => {
      if (relayed !== null && !signal.aborted) onPath(relayed);
    };
    // A connection that was closed meanwhile may have nothing to say any more.
    isRelayed(connection).then(told, () => undefined);
  };
  // Not every browser has it; there a path is looked at once.
  const transport = (connection.sctp?.transport as Partial<RTCDtlsTransport> | undefined)
    ?.iceTransport;
  transport?.addEventListener('selectedcandidatepairchange', look, { signal });
  look();
}

/** Null where the browser does not say. */
async function isRelayed(connection: RTCPeerConnection): Promise<boolean | null> {
  const entries = new Map<string, PathStats>();
  (await connection.getStats()).forEach((entry: PathStats & { id: string }) => {
    entries.set(entry.id, entry);
  });
  for (const { type, selectedCandidatePairId = '' } of entries.values()) {
    const pair = type === 'transport' ? entries.get(selectedCandidatePairId) : undefined;
    if (!pair) continue;
    const ends = [pair.localCandidateId, pair.remoteCandidateId];
    return ends.some((id = '') => entries.get(id)?.candidateType === 'relay');
  }
  return null;
}
