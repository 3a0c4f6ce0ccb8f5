import * as v from 'valibot';

/** The message, checked. Throws one sentence that names the sender and the field. */
export function parsed<S extends v.GenericSchema>(
  schema: S,
  message: unknown,
  sender: 'host' | 'device',
): v.InferOutput<S> {
  const result = v.safeParse(schema, message);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'message';
  throw new Error(`a message of the ${sender} is not valid: ${field}: ${issue.message}`);
}
