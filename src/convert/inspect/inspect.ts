/** `npm run --silent inspect -- MODEL`: what is this file, and what will the model see? */
import { errorMessage } from '../../base/error-message.ts';
import { inspectModel } from './inspect-model.ts';
import { readOptions, usage } from './options.ts';
import { descriptionTable } from './table.ts';

const refused = 2;

async function main(): Promise<void> {
  const options = await readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    return;
  }
  const description = await inspectModel(options);
  console.log(options.json ? JSON.stringify(description) : descriptionTable(description));
  if (description.refusal !== null) process.exitCode = refused;
}

main().catch((error: unknown) => {
  console.error(errorMessage(error));
  process.exitCode = refused;
});
