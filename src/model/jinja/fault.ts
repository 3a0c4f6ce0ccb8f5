/** Why a template cannot be read or does not take its input: one sentence, without the name of the template. */
export class TemplateFault extends Error {}

/** A part of Jinja or Python that is not written here. It is refused by its name rather than printed wrongly. */
export class UnsupportedFeature extends TemplateFault {
  constructor(feature: string) {
    super(`it uses ${feature}, which is not supported here`);
  }
}
