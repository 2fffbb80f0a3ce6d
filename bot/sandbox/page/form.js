// Holds what a person has entered on one surface (modal, message, App Home), as Slack's state.values.

export class FormState {
  /** `previous` carries entries over to a view's next version, by the same block_id and action_id. */
  constructor(previous = null) {
    this.previous = previous;
    this.blocks = new Map();
  }

  /** Register a field with its initial state (without `type`); returns the state to show. */
  register(blockId, actionId, type, initial) {
    const kept = this.previous?.entry(blockId, actionId);
    const start = kept?.type === type ? kept : { type, ...initial };
    this.set(blockId, actionId, start);
    return start;
  }

  entry(blockId, actionId) {
    return this.blocks.get(blockId)?.get(actionId);
  }

  set(blockId, actionId, value) {
    if (!this.blocks.has(blockId)) this.blocks.set(blockId, new Map());
    this.blocks.get(blockId).set(actionId, value);
  }

  /** {block_id: {action_id: {type, …}}} */
  values() {
    const entries = [...this.blocks].map(([block, actions]) => [block, Object.fromEntries(actions)]);
    return Object.fromEntries(entries);
  }
}
