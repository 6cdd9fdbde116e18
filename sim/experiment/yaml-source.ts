// Scenarios are read like every document of the project: core/documents keeps where each field stands.

export { type FieldPath, reasonOf, YamlSource } from '../../core/documents/yaml-source.ts';
