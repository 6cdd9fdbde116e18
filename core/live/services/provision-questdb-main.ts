// `npm run provision:questdb`: QuestDB's one jar from Maven Central into the ignored folder .services; Java comes from the system.

import { SiraError } from '../../base/errors.ts';
import { provisionQuestDb, questDbJar, questDbVersion } from './questdb.ts';

try {
  const outcome = await provisionQuestDb(process.env.SIRA_MAVEN_REPOSITORY ?? 'https://repo1.maven.org/maven2');
  process.stdout.write(
    `QuestDB ${questDbVersion} ${outcome === 'already' ? 'is there' : 'is fetched'}: ${questDbJar()}\n`,
  );
} catch (error) {
  if (!(error instanceof SiraError)) throw error;
  process.stderr.write(`error[${error.code}] ${error.message}\n  do: ${error.remedy}\n`);
  process.exitCode = error.exitCode;
}
