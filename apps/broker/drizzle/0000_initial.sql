CREATE TABLE "agent" (
	"client_id" text PRIMARY KEY NOT NULL,
	"jwk" jsonb NOT NULL,
	"name" text NOT NULL,
	"host" text NOT NULL,
	"freezes" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "agent_freeze" (
	"approver" text NOT NULL,
	"client_id" text NOT NULL,
	"seq" integer NOT NULL,
	"op" text NOT NULL,
	"signed" jsonb NOT NULL,
	CONSTRAINT "agent_freeze_client_id_approver_pk" PRIMARY KEY("client_id","approver"),
	CONSTRAINT "agent_freeze_op" CHECK ("agent_freeze"."op" in ('freeze', 'unfreeze'))
);
--> statement-breakpoint
CREATE TABLE "approver" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "authorization_request" (
	"rid" text PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"request" text NOT NULL,
	"ar_hash" text NOT NULL,
	"ctx" text NOT NULL,
	"sealed_sha256" text NOT NULL,
	"tier" text NOT NULL,
	"approvers" text[] NOT NULL,
	"quorum" integer NOT NULL,
	"approvals" integer DEFAULT 0 NOT NULL,
	"req_nonce" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"outcomes" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	"redeemed_at" timestamp with time zone,
	"redemption_key_hash" text,
	"frozen_by" jsonb,
	CONSTRAINT "request_state" CHECK ("authorization_request"."state" in ('pending', 'approved', 'denied', 'canceled', 'expired', 'redeemed', 'reported')),
	CONSTRAINT "request_quorum" CHECK ("authorization_request"."state" not in ('approved', 'redeemed', 'reported') or "authorization_request"."approvals" >= "authorization_request"."quorum")
);
--> statement-breakpoint
CREATE TABLE "ceremony" (
	"rid" text NOT NULL,
	"approver" text NOT NULL,
	"device_kid" text NOT NULL,
	"cid" text NOT NULL,
	"broker_nonce" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"consumed_at" timestamp with time zone,
	CONSTRAINT "ceremony_rid_approver_device_kid_pk" PRIMARY KEY("rid","approver","device_kid"),
	CONSTRAINT "ceremony_cid_unique" UNIQUE("cid")
);
--> statement-breakpoint
CREATE TABLE "chain_link" (
	"approver" text NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"seq" integer NOT NULL,
	"head" text NOT NULL,
	"link" jsonb NOT NULL,
	CONSTRAINT "chain_link_approver_generation_seq_pk" PRIMARY KEY("approver","generation","seq")
);
--> statement-breakpoint
CREATE TABLE "credential" (
	"id" text PRIMARY KEY NOT NULL,
	"approver" text NOT NULL,
	"jwk" jsonb NOT NULL,
	"be" boolean NOT NULL,
	"user_handle" text,
	"counter" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "decision" (
	"rid" text NOT NULL,
	"approver" text NOT NULL,
	"kind" text NOT NULL,
	"cid" text,
	"decision" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "decision_rid_approver_kind_pk" PRIMARY KEY("rid","approver","kind"),
	CONSTRAINT "decision_kind" CHECK ("decision"."kind" in ('approve', 'deny'))
);
--> statement-breakpoint
CREATE TABLE "device" (
	"kid" text PRIMARY KEY NOT NULL,
	"approver" text NOT NULL,
	"sig_jwk" jsonb NOT NULL,
	"enc_jwk" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "device_link" (
	"id" text PRIMARY KEY NOT NULL,
	"keys" jsonb NOT NULL,
	"user_handle" text,
	"vouching" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invitation" (
	"hash" text PRIMARY KEY NOT NULL,
	"created_by" text,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "leaf" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "leaf_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"rid" text,
	"digest" text NOT NULL,
	"salt" text NOT NULL,
	"entry" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "nonce" (
	"value" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outcome" (
	"rid" text NOT NULL,
	"n" integer NOT NULL,
	"digest" text NOT NULL,
	"outcome" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outcome_rid_n_pk" PRIMARY KEY("rid","n")
);
--> statement-breakpoint
CREATE TABLE "pairing" (
	"id" text PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"offer" text NOT NULL,
	"state" text NOT NULL,
	"approver" text,
	"acceptance" jsonb,
	"nonce" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"live_at" timestamp with time zone,
	CONSTRAINT "pairing_state" CHECK ("pairing"."state" in ('offered', 'accepted', 'revealed', 'live', 'ended'))
);
--> statement-breakpoint
CREATE TABLE "push_outbox" (
	"rid" text NOT NULL,
	"subscription_id" text NOT NULL,
	"stage" text DEFAULT 'ask' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "push_outbox_rid_subscription_id_pk" PRIMARY KEY("rid","subscription_id"),
	CONSTRAINT "push_outbox_stage" CHECK ("push_outbox"."stage" in ('ask', 'asked', 'done'))
);
--> statement-breakpoint
CREATE TABLE "push_subscription" (
	"id" text PRIMARY KEY NOT NULL,
	"session_hash" text NOT NULL,
	"approver" text NOT NULL,
	"device_kid" text,
	"endpoint" text NOT NULL,
	"p256dh" text NOT NULL,
	"auth" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_outcome" text,
	"last_outcome_at" timestamp with time zone,
	"test_hash" text,
	"test_sent_at" timestamp with time zone,
	"test_arrived_at" timestamp with time zone,
	CONSTRAINT "push_subscription_session_hash_unique" UNIQUE("session_hash"),
	CONSTRAINT "push_subscription_endpoint_unique" UNIQUE("endpoint")
);
--> statement-breakpoint
CREATE TABLE "push_window" (
	"client_id" text NOT NULL,
	"approver" text NOT NULL,
	"pushed_at" timestamp with time zone[] NOT NULL,
	CONSTRAINT "push_window_client_id_approver_pk" PRIMARY KEY("client_id","approver")
);
--> statement-breakpoint
CREATE TABLE "recovery" (
	"approver" text PRIMARY KEY NOT NULL,
	"id" text NOT NULL,
	"code_hash" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ready_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "recovery_code_hash_unique" UNIQUE("code_hash")
);
--> statement-breakpoint
CREATE TABLE "recovery_code" (
	"hash" text PRIMARY KEY NOT NULL,
	"approver" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealed_context" (
	"client_id" text NOT NULL,
	"sealed_sha256" text NOT NULL,
	"octets" "bytea" NOT NULL,
	"rid" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sealed_context_client_id_sealed_sha256_pk" PRIMARY KEY("client_id","sealed_sha256")
);
--> statement-breakpoint
CREATE TABLE "session" (
	"hash" text PRIMARY KEY NOT NULL,
	"approver" text NOT NULL,
	"credential_id" text NOT NULL,
	"device_kid" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "setting" (
	"name" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "used_proof" (
	"hash" text PRIMARY KEY NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "agent_freeze" ADD CONSTRAINT "agent_freeze_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_freeze" ADD CONSTRAINT "agent_freeze_client_id_agent_client_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."agent"("client_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authorization_request" ADD CONSTRAINT "authorization_request_client_id_agent_client_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."agent"("client_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ceremony" ADD CONSTRAINT "ceremony_rid_authorization_request_rid_fk" FOREIGN KEY ("rid") REFERENCES "public"."authorization_request"("rid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chain_link" ADD CONSTRAINT "chain_link_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credential" ADD CONSTRAINT "credential_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "decision" ADD CONSTRAINT "decision_rid_authorization_request_rid_fk" FOREIGN KEY ("rid") REFERENCES "public"."authorization_request"("rid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_created_by_approver_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outcome" ADD CONSTRAINT "outcome_rid_authorization_request_rid_fk" FOREIGN KEY ("rid") REFERENCES "public"."authorization_request"("rid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pairing" ADD CONSTRAINT "pairing_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_outbox" ADD CONSTRAINT "push_outbox_rid_authorization_request_rid_fk" FOREIGN KEY ("rid") REFERENCES "public"."authorization_request"("rid") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_outbox" ADD CONSTRAINT "push_outbox_subscription_id_push_subscription_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."push_subscription"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_subscription" ADD CONSTRAINT "push_subscription_session_hash_session_hash_fk" FOREIGN KEY ("session_hash") REFERENCES "public"."session"("hash") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_subscription" ADD CONSTRAINT "push_subscription_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_subscription" ADD CONSTRAINT "push_subscription_device_kid_device_kid_fk" FOREIGN KEY ("device_kid") REFERENCES "public"."device"("kid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recovery" ADD CONSTRAINT "recovery_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recovery_code" ADD CONSTRAINT "recovery_code_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_approver_approver_id_fk" FOREIGN KEY ("approver") REFERENCES "public"."approver"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_credential_id_credential_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credential"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_device_kid_device_kid_fk" FOREIGN KEY ("device_kid") REFERENCES "public"."device"("kid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "request_open" ON "authorization_request" USING btree ("expires_at") WHERE state in ('pending', 'approved');--> statement-breakpoint
CREATE INDEX "request_open_client" ON "authorization_request" USING btree ("client_id") WHERE state in ('pending', 'approved');--> statement-breakpoint
CREATE INDEX "request_approvers" ON "authorization_request" USING gin ("approvers");--> statement-breakpoint
CREATE INDEX "request_created" ON "authorization_request" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "credential_approver" ON "credential" USING btree ("approver");--> statement-breakpoint
CREATE INDEX "device_approver" ON "device" USING btree ("approver");--> statement-breakpoint
CREATE INDEX "leaf_rid" ON "leaf" USING btree ("rid");--> statement-breakpoint
CREATE UNIQUE INDEX "pairing_live" ON "pairing" USING btree ("client_id","approver") WHERE state = 'live';--> statement-breakpoint
CREATE INDEX "push_outbox_due" ON "push_outbox" USING btree ("due_at") WHERE stage <> 'done';--> statement-breakpoint
CREATE INDEX "push_subscription_approver" ON "push_subscription" USING btree ("approver");--> statement-breakpoint
CREATE INDEX "recovery_code_approver" ON "recovery_code" USING btree ("approver");--> statement-breakpoint
CREATE INDEX "sealed_context_rid" ON "sealed_context" USING btree ("rid");