/** How many of `voters` must agree: a majority. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many voters can be lost while a majority is left. */
export function tolerance(voters: number): number {
  return voters - quorumOf(voters);
}

/** Whether `healthy` of `voters` are a quorum. */
export function isQuorum(healthy: number, voters: number): boolean {
  return healthy >= quorumOf(voters);
}
